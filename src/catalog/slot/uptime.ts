import type { Connection } from '../../core/connector.ts'

/**
 * One open connection, from its coming up to its loss, as calls meet it. Plain fields, because every call reads them.
 */
export class Uptime {
  readonly connection: Connection
  /**
   * Whether it can die under its calls. Only then is it counted what they come to: a connection that cannot die has
   * nothing to be run again, and its calls go straight to their targets.
   */
  readonly isMortal: boolean
  /** Set once it is lost: nothing may be run on it any more. */
  isOver = false
  /** Calls that have come, and those of them that have not ended. */
  calls = 0
  underWay = 0
  /** Calls and checks that were answered. */
  answers = 0

  constructor(connection: Connection) {
    this.connection = connection
    this.isMortal = connection.onClose !== undefined
  }
}
