import { spawn } from 'node:child_process'

const commands: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Shows a web page to whoever sits here, if there is a way. The URL comes from a server, and so meets no shell. */
export function openBrowser(url: string): void {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return
  const [command = '', ...args] = commands[process.platform] ?? ['xdg-open']
  const child = spawn(command, [...args, url], { stdio: 'ignore', detached: true, shell: false })
  // No browser is no failure: the address is on the screen.
  child.on('error', () => {})
  child.unref()
}
