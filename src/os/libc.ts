export type AffinityOutcome = 'set' | 'unsupported' | 'not-found' | 'refused' | 'no-such-cpu'
export function hasLibc(): boolean {
  return false
}
export function setAffinity(_tid: number, _cpus: readonly number[]): AffinityOutcome {
  return 'unsupported'
}
