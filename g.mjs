import { current } from 'userworker/current'
export async function* both() {
  current().progress('p')
  yield 1
  current().progress('q')
  yield 2
}
