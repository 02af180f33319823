import { parentPort, workerData } from 'node:worker_threads'
import { WeirError } from '../../../core/error.ts'
import { toFailure } from './failure.ts'
import type { Message, Request, ThreadOptions } from './protocol.ts'
import { Session } from './session.ts'

// The entry of the one thread that owns the database: a group in, its answers out, until it is told to close.

const port = parentPort!
const session = await open()
if (session !== undefined) {
  port.on('message', (request: Request) => {
    if (request === 'close') {
      session.close()
      port.close()
    } else {
      const answers = session.run(request)
      say({ answers, commits: session.commits })
    }
  })
  say({ ready: true })
}

async function open(): Promise<Session | undefined> {
  try {
    return await Session.open(workerData as ThreadOptions)
  } catch (thrown) {
    const failure = toFailure(thrown)
    say({ unusable: thrown instanceof WeirError ? { ...failure, known: describe(thrown) } : failure })
    return undefined
  }
}

function describe({ message, hint }: WeirError) {
  return hint === undefined ? { message } : { message, hint }
}

function say(message: Message): void {
  port.postMessage(message)
}
