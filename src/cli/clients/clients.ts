import { join } from 'node:path'

/** The clients whose configuration Weir reads and writes. */
export const clientNames = ['claude', 'claude-desktop', 'cursor', 'vscode'] as const
export type ClientName = (typeof clientNames)[number]

/** What decides where clients keep their files. */
export interface Machine {
  readonly home: string
  readonly cwd: string
  readonly platform: NodeJS.Platform
  /** Where programs keep their settings, if the system says so itself: APPDATA, XDG_CONFIG_HOME. */
  readonly settings: string | undefined
}

/** A file that may hold a client's servers. */
export interface ClientFile {
  readonly path: string
  /** The project whose file it is: relative paths in it start there. Absent: it is a user's, for every project. */
  readonly folder?: string
}

/** Where a client keeps its servers, a project's before the user's, as the client itself ranks them. */
export function listClientFiles(
  client: ClientName,
  machine: Machine,
): readonly [ClientFile, ...ClientFile[]] {
  const { home, cwd } = machine
  switch (client) {
    case 'claude':
      return [{ path: join(cwd, '.mcp.json'), folder: cwd }, { path: join(home, '.claude.json') }]
    case 'claude-desktop':
      return [{ path: join(findSettings(machine), 'Claude', 'claude_desktop_config.json') }]
    case 'cursor':
      return [
        { path: join(cwd, '.cursor', 'mcp.json'), folder: cwd },
        { path: join(home, '.cursor', 'mcp.json') },
      ]
    case 'vscode':
      return [{ path: join(cwd, '.vscode', 'mcp.json'), folder: cwd }]
  }
}

function findSettings({ home, platform, settings }: Machine): string {
  if (platform === 'darwin') return join(home, 'Library', 'Application Support')
  return settings ?? (platform === 'win32' ? join(home, 'AppData', 'Roaming') : join(home, '.config'))
}
