import type { SMTPPoolOptions } from 'nodemailer'

/** How long a server may take to say goodbye before it is left without one. */
const goodbyeMs = 300

/** Connects, greets, upgrades and logs in on a connection of its own, as a message would. Rejects with what failed. */
export async function checkServer(options: SMTPPoolOptions, signal: AbortSignal): Promise<void> {
  const { default: SMTPConnection } = await import('nodemailer/lib/smtp-connection')
  signal.throwIfAborted()
  const connection = new SMTPConnection(options)
  let abort: (() => void) | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error | null) => (error ? reject(error) : resolve())
      abort = () => reject(signal.reason)
      signal.addEventListener('abort', abort, { once: true })
      // It stays on: a connection tells of its end even after that was asked for.
      connection.on('error', reject)
      connection.once('end', () => reject(endedEarly()))
      connection.connect((error) => {
        if (error || options.auth === undefined) settle(error)
        else connection.login(options.auth, settle)
      })
    })
    await sayGoodbye(connection, signal)
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
    connection.close()
  }
}

/** Servers log those who leave without a word. */
function sayGoodbye(
  connection: { quit(): void; once(event: 'end', listener: () => void): unknown },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, goodbyeMs)
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    connection.once('end', end)
    signal.addEventListener('abort', end, { once: true })
    connection.quit()
  })
}

function endedEarly(): Error {
  return Object.assign(new Error('the server closed the connection'), { code: 'ECONNECTION' })
}
