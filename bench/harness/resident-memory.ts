import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const sampleMs = 500
/** Samples that must agree before the process counts as settled: five seconds. */
const settledSamples = 10
const settledMB = 1
const settleTimeoutMs = 30_000

/** Megabytes (10^6 bytes) of the process's memory that are in RAM now. */
function residentMB(pid: number): number {
  const line = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (line === null) throw new Error(`/proc/${pid}/status names no VmRSS.`)
  return (Number(line[1]) * 1024) / 1e6
}

/** The resident memory of an idle process once it no longer moves; after 30 s, whatever it is. */
export async function settledResidentMB(pid: number): Promise<number> {
  const samples: number[] = []
  const deadlineMs = performance.now() + settleTimeoutMs
  while (performance.now() < deadlineMs) {
    await sleep(sampleMs)
    samples.push(residentMB(pid))
    const last = samples.slice(-settledSamples)
    if (last.length === settledSamples && Math.max(...last) - Math.min(...last) <= settledMB) break
  }
  return samples.at(-1)!
}
