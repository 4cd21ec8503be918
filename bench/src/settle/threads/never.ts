/** A module of any pool's workers that never finishes loading. */
await new Promise(() => {
  setInterval(() => {}, 1000)
})
