/**
 * The same cases in a guest: fio under Linux, in software.
 *
 * @module
 */
import { cases, type Case, type Figures, type Pace, type Sample } from './cases.js'
import { cpuUsOf } from './cpu.js'
import { loadGuest } from './library.js'
import type { Served } from './sides.js'

const mebibytes = 1024
/** Fields of fio's terse output: the version, the name of the job and so on count from 0. */
const [readIops, writeIops] = [7, 48]

/** What a guest boots from. */
export interface GuestFiles {
  readonly folder: string
  readonly image: string
  readonly initramfs: string
}

/** Runs all cases in one guest. */
export async function guestSample(
  files: GuestFiles,
  disk: { readonly socket: string; readonly queues: number },
  { pid }: Served,
  pace: Pace,
): Promise<Sample> {
  const { Guest } = await loadGuest()
  const { folder } = files
  const guest = new Guest({ folder, kernel: files, cpus: disk.queues, mebibytes, disks: [disk] })
  const sample: Record<string, Figures> = {}
  try {
    await guest.ready()
    for (const chosen of cases) {
      const before = cpuUsOf(pid)
      const fields = (await guest.run(jobOf(chosen, disk.queues, pace)))
        .split('\n')
        .at(-1)
        ?.split(';')
      const iops = Number(fields?.[chosen.isWrite ? writeIops : readIops])
      if (!(iops > 0)) throw new Error(`fio says nothing of ${chosen.name}`)
      // The warm-up's requests are not counted by fio, and take as long as the others.
      const count = (iops * (2 * pace.measuredMs + pace.warmUpMs)) / 1000
      sample[chosen.name] = { iops, cpuUs: (cpuUsOf(pid) - before) / count }
    }
  } finally {
    await guest.kill()
  }
  return sample
}

/** A guest in software is slower than all disks: it gets twice the time. */
function jobOf({ name, isWrite, isRandom, bytes, depth }: Case, jobs: number, pace: Pace): string {
  const [runtime, ramp] = [(2 * pace.measuredMs) / 1000, pace.warmUpMs / 1000]
  return [
    `fio --name=${name} --filename=/dev/vda --direct=1 --ioengine=libaio --group_reporting`,
    `--rw=${isRandom ? 'rand' : ''}${isWrite ? 'write' : 'read'} --bs=${bytes} --iodepth=${depth}`,
    `--numjobs=${jobs} --time_based --runtime=${runtime * 1000}ms --ramp_time=${ramp * 1000}ms`,
    '--minimal 2>/dev/null',
  ].join(' ')
}
