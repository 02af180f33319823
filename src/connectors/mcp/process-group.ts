import { setTimeout as wait } from 'node:timers/promises'

const isWindows = process.platform === 'win32'
const pollMs = 20

/** Groups to kill when Weir itself exits without closing; best effort, for what an exit handler can do. */
const live = new Set<number>()

function killAll(): void {
  for (const pid of live) signalGroup(pid, 'SIGKILL')
}

/** Sees to it that the group dies with this process. */
export function guardGroup(pid: number): void {
  if (live.size === 0) process.on('exit', killAll)
  live.add(pid)
}

function releaseGroup(pid: number): void {
  if (live.delete(pid) && live.size === 0) process.off('exit', killAll)
}

/** False where no process of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    // Windows has no groups; there the leader alone can be reached.
    return process.kill(isWindows ? pid : -pid, signal)
  } catch {
    return false
  }
}

/**
 * Ends every process of the group: SIGTERM, after `graceMs` SIGKILL (R5). Resolves when none is left. A process that
 * made itself leader of another group is out of reach.
 */
export async function endGroup(pid: number, graceMs: number): Promise<void> {
  if (signalGroup(pid, 'SIGTERM') && !(await isGone(pid, graceMs))) {
    signalGroup(pid, 'SIGKILL')
    // SIGKILL cannot be refused; what still shows after this is a zombie nobody reaps.
    await isGone(pid, 500)
  }
  releaseGroup(pid)
}

async function isGone(pid: number, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs
  while (signalGroup(pid, 0)) {
    if (performance.now() >= end) return false
    await wait(pollMs)
  }
  return true
}
