/**
 * A process that is stopped and continued again and again, for times that chance gives.
 */
import { describe, test, type TestContext } from 'node:test'
import { Cgroup } from './cgroup.js'
import { pause, type Child } from './child.js'
import { diceOf, freshSeed } from './dice.js'
import { underLoad } from './load.js'

const stormMs = Number(process.env['CHAOS_STORM_MS'] ?? 3000)

interface Switch {
  stop(child: Child): void
  go(child: Child): void
}

async function storms(t: TestContext, { stop, go }: Switch, seed = freshSeed()): Promise<void> {
  const dice = diceOf(seed)
  let stops = 0
  await underLoad(t, {}, async (child) => {
    const end = performance.now() + stormMs
    while (performance.now() < end) {
      stop(child)
      stops++
      // Mostly shorter than a tick of the clock that counts time that ran, sometimes longer.
      const most = dice(8) === 0 ? 300 : 30
      if (dice(4) > 0) await pause(dice(most))
      go(child)
      if (dice(4) > 0) await pause(dice(20))
    }
  })
  t.diagnostic(`seed ${seed}: ${stops} stops`)
}

describe('a process under load that is stopped again and again', () => {
  test('by SIGSTOP and SIGCONT loses, repeats and times out nothing [SG-5, BUG-SIG-6]', async (t) => {
    await storms(t, {
      stop: (child) => child.process.kill('SIGSTOP'),
      go: (child) => child.process.kill('SIGCONT'),
    })
  })

  test('by the freezer of cgroups, version 2, the same [SG-10]', async (t) => {
    const group = Cgroup.make(t, null, 'cgroup.freeze')
    if (typeof group === 'string') return t.skip(group)
    await storms(t, {
      stop: (child) => {
        group.add(child.pid)
        group.set('cgroup.freeze', '1')
      },
      go: () => group.set('cgroup.freeze', '0'),
    })
  })
})
