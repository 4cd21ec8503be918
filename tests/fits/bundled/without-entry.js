import { WorkQueue } from 'userworker'

try {
  const queue = new WorkQueue('/app/handlers.js')
  queue.run('add', [2, 3]).then(console.log)
} catch (error) {
  console.log(error.code, error.message)
}
