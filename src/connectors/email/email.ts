import { type Connection, defineConnector } from '../../core/connector.ts'
import type { Target } from '../../core/tool.ts'
import { type EmailConfig, emailConfig } from './email-config.ts'
import { openMailer } from './mailer.ts'
import { createSendEmail } from './send-email.ts'

/** Mail through one SMTP server (D4-011, D4-025). It opens while the server is down, and sends once that is up. */
export const email = defineConnector<EmailConfig>({
  type: 'email',
  summary: 'Send mail through an SMTP server, from one sender, to domains you allow.',
  config: emailConfig,
  async open(config, { signal }) {
    signal.throwIfAborted()
    const mailer = await openMailer(config)
    const targets: readonly Target[] = [createSendEmail(config, mailer) as Target]
    return {
      targets: () => targets,
      check: (aborted) => mailer.check(aborted),
      close: () => mailer.close(),
    } satisfies Connection
  },
})
