import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'

const isWindows = process.platform === 'win32'
/** Pauses between looks grow from first to last; from `closer` on a look costs more and tells more. */
const pollMs = { first: 10, closer: 40, last: 160 }

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
  for (
    let pauseMs = pollMs.first;
    await isAlive(pid, pauseMs);
    pauseMs = Math.min(pauseMs * 2, pollMs.last)
  ) {
    if (performance.now() >= end) return false
    await wait(pauseMs)
  }
  return true
}

/**
 * A dead process nobody has reaped still takes signals. That is common where the first process of a container
 * is no init, so after a while we look closer, where the system lets us.
 */
async function isAlive(pid: number, pauseMs: number): Promise<boolean> {
  if (!signalGroup(pid, 0)) return false
  if (pauseMs < pollMs.closer || process.platform !== 'linux') return true
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const members = await Promise.all(ids.map((id) => isLivingMember(id, pid)))
  return members.includes(true)
}

async function isLivingMember(id: string, group: number): Promise<boolean> {
  // After the name, which may hold anything, stand the state, the parent and the group.
  const stat = await readFile(`/proc/${id}/stat`, 'utf8').catch(() => '')
  const [state, , processGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(processGroup) === group && state !== 'Z' && state !== 'X'
}
