import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, it } from 'vitest'
import { findPortHolder } from './port-holder.ts'

it.runIf(process.platform === 'linux').each(['127.0.0.1', '::1'])(
  'finds who listens on a port of %s, and nobody once it is free',
  async (host) => {
    const server = createServer().listen(0, host)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await findPortHolder(port)).toEqual({ pid: process.pid, command: expect.stringContaining('node') })
    server.close()
    await once(server, 'close')
    expect(await findPortHolder(port)).toBeUndefined()
  },
)
