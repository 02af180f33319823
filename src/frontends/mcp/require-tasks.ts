import { WeirError } from '../../core/error.ts'
import { type Capabilities, hasExtension, tasksExtension } from '../../wire/model.ts'

/** Throws MISSING_CAPABILITY where a client asks for what belongs to the tasks extension without having declared that. */
export function requireTasks(declared: Capabilities | undefined, what: string): void {
  if (hasExtension(declared, tasksExtension)) return
  throw new WeirError('MISSING_CAPABILITY', `${what} belongs to an extension the client did not declare.`, {
    hint: `Declare ${tasksExtension} with each request.`,
    data: { requiredCapabilities: { extensions: { [tasksExtension]: {} } } },
  })
}
