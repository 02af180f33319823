import type { ConnectionStatus } from '../core/catalog.ts'

/** How a connection stands, as the end of a sentence that begins with its name. */
export function describeState(state: ConnectionStatus['state'] | undefined, cause?: string): string {
  const stands = state === undefined ? 'is not there' : phrases[state]
  return cause === undefined ? stands : `${stands}: ${cause}`
}

const phrases: Readonly<Record<ConnectionStatus['state'], string>> = {
  idle: 'is idle until its first call',
  starting: 'is still starting',
  up: 'is up',
  down: 'is down',
  'crash-loop': 'dies at each start',
}
