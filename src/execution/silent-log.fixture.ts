import { createLog } from '../telemetry/log.ts'

/** The real log, written nowhere. */
export const silentLog = createLog(() => {})
