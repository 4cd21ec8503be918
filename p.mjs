import { current } from 'userworker/current'
export function f() {
  current().progress(1)
  throw new Error('x')
}
