import { readFileSync } from 'node:fs'

/** Clock ticks a second in /proc, which Linux fixes at 100 for user space. */
const ticksPerSecond = 100

/** Seconds of processor time a process has used so far; undefined where there is no /proc. */
export function cpuSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field, in parentheses, may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
  } catch {
    return undefined
  }
}
