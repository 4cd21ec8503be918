/**
 * A program of which some is not reached.
 *
 * @module
 */
const given: number = process.argv.length

const unequal = given === 0 ? 'never' : 'always'
const either = unequal || String(neverCalled())

if (given > 0) console.log(either)

if (given === 0) {
  console.log(given > 1 ? 1 : 2)
} else if (given < 0) console.log(3)

switch (given) {
  case 0:
    console.log(4)
    break
  default:
    console.log(5)
}

try {
  console.log(6)
} catch {
  console.log(7)
  console.log(8)
}

function neverCalled(): number {
  return given > 0 ? 9 : 10
}
