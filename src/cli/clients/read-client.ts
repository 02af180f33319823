import { homedir } from 'node:os'
import { WeirError } from '../../core/error.ts'
import { type ClientName, clientNames, type Machine } from './clients.ts'

/** The client that was named. Throws INVALID_PARAMS. */
export function readClient(name: string): ClientName {
  const client = clientNames.find((known) => known === name)
  if (client !== undefined) return client
  throw new WeirError('INVALID_PARAMS', `${JSON.stringify(name)} is no client that Weir knows.`, {
    hint: `Name one of ${clientNames.join(', ')}.`,
  })
}

/** This machine, as far as it decides where clients keep their files. */
export function readMachine(): Machine {
  const { APPDATA, XDG_CONFIG_HOME } = process.env
  const settings = process.platform === 'win32' ? APPDATA : XDG_CONFIG_HOME
  return { home: homedir(), cwd: process.cwd(), platform: process.platform, settings: settings || undefined }
}
