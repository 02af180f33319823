import { WeirError } from '../../../core/error.ts'
import { type LogLevel, logLevels } from '../../../core/event.ts'
import type { Exchange } from '../exchange.ts'

/** Answers `logging/setLevel`; without a session there is nobody whose level it could be. */
export function setLevel({ request, session }: Exchange): string {
  const { level } = request.params
  if (!logLevels.includes(level as LogLevel)) {
    throw new WeirError('INVALID_PARAMS', `There is no log level ${JSON.stringify(level)}.`, {
      hint: `The levels are ${logLevels.join(', ')}.`,
    })
  }
  if (session !== undefined) session.logLevel = level as LogLevel
  return '{}'
}
