import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'

/** Who listens on a port. */
export interface PortHolder {
  readonly pid: number
  /** The program and what it runs, without further arguments: those may hold secrets. */
  readonly command: string
}

const listening = '0A'
const commandCharsMax = 120

/** Finds the process that listens on a TCP port, where the system tells (Linux) and lets us see it. */
export async function findPortHolder(port: number): Promise<PortHolder | undefined> {
  if (process.platform !== 'linux') return undefined
  try {
    const inodes = await findSockets(port)
    return inodes.size === 0 ? undefined : await findOwner(inodes)
  } catch {
    return undefined
  }
}

/** `sl local_address rem_address st … inode`, the address being hexadecimal `ip:port`. */
async function findSockets(port: number): Promise<Set<string>> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0')
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => ''))
  const lines = (await Promise.all(tables)).flatMap((table) => table.split('\n').slice(1))
  const fields = lines.map((line) => line.trim().split(/\s+/))
  const found = fields.filter(([, local, , state]) => state === listening && local?.endsWith(`:${wanted}`))
  return new Set(found.map((line) => `socket:[${line[9]}]`))
}

async function findOwner(sockets: ReadonlySet<string>): Promise<PortHolder | undefined> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // Other users' processes cannot be looked into, and some end meanwhile.
    const files = await readdir(`/proc/${pid}/fd`).catch(() => [])
    const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')))
    if (links.some((link) => sockets.has(link))) return { pid: Number(pid), command: await readCommand(pid) }
  }
  return undefined
}

async function readCommand(pid: string): Promise<string> {
  const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
  const first = args[0] ?? ''
  const script = first === '' || first.startsWith('-') ? '' : ` ${first}`
  return `${basename(program)}${script}`.slice(0, commandCharsMax)
}
