/** A worker in batches: there is work when somebody asked for the time. */
import { Bell } from '../bell.js'
import { loop } from '../library-self.js'

let bell: Bell | undefined

export default loop((shared: SharedArrayBuffer) => {
  bell ??= new Bell(shared)
  return bell.hit()
})
