/** Stands until it is stopped. */
export default async function watch(_data, self) {
  while (!self.shouldStop()) await self.sleep(1000)
  return 7
}
