import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { WeirError } from '../../core/error.ts'

/** Begins to listen; gives the URL. Throws PORT_TAKEN. */
export async function openPort(http: FastifyInstance, host: string, port: number): Promise<string> {
  try {
    return await http.listen({ host, port })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw new WeirError('PORT_TAKEN', `Port ${port} of ${host} is taken.`, {
      hint: 'Stop what listens there, or choose another with --port.',
      data: { host, port },
      cause,
    })
  }
}

const sweepEveryMs = 50

/** Takes no more connections, lets calls under way end for at most `drainMs`, and cuts off what is left. */
export async function drainPort(http: FastifyInstance, drainMs: number): Promise<void> {
  let isCutOff = false
  const cutOff = setTimeout(() => {
    isCutOff = true
    http.server.closeAllConnections()
  }, drainMs)
  // A client keeps its connection for a next request; once the last answer is out, nothing else would end it.
  const sweep = setInterval(() => http.server.closeIdleConnections(), sweepEveryMs)
  await http.close()
  clearInterval(sweep)
  clearTimeout(cutOff)
  // A socket says that it is closed at the end of the event loop's turn. Whoever runs a call that was cut off hears of
  // it there, and so before the connection that the call uses is closed under it.
  if (isCutOff) for (let turns = 0; turns < 2; turns += 1) await nextTurn()
}
