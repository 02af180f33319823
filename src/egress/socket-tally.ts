import type { PoolStats, TargetStats } from './egress.ts'

/** What one socket has done. Kept by whoever puts requests on it. */
export interface SocketRecord {
  requests: number
  broken: boolean
  /** The first error of the socket itself, which what comes after may hide. */
  error: Error | undefined
}

/** What one client's sockets have done (D1-087): plain fields, so that counting costs an addition (B-49). */
export class SocketTally {
  created = 0
  /** Sockets that carried a first request; a socket may die before it does. */
  used = 0
  reused = 0
  closed = 0
  requests = 0
  errors = 0
  healthChecks = 0

  /** Takes in what another one has counted. */
  add(other: SocketTally): this {
    this.created += other.created
    this.used += other.used
    this.reused += other.reused
    this.closed += other.closed
    this.requests += other.requests
    this.errors += other.errors
    this.healthChecks += other.healthChecks
    return this
  }

  /** A socket is open. Whoever opened it says `close` once. */
  open(): SocketRecord {
    this.created++
    return { requests: 0, broken: false, error: undefined }
  }

  /** A request begins on a socket. */
  carry(socket: SocketRecord): void {
    this.requests++
    socket.requests++
    if (socket.requests === 1) this.used++
    else if (socket.requests === 2) this.reused++
  }

  /** A socket broke under its requests: once, however many they were. */
  break(socket: SocketRecord): void {
    if (socket.broken) return
    socket.broken = true
    this.errors++
  }

  /** Renders the counts by the names they are known by. */
  render(targets: Readonly<Record<string, TargetStats>>): PoolStats {
    return {
      connections_created: this.created,
      connections_reused: this.reused,
      connections_closed: this.closed,
      health_checks_performed: this.healthChecks,
      total_requests: this.requests,
      connection_errors: this.errors,
      active_connections: this.created - this.closed,
      connection_reuse_rate: this.used === 0 ? 0 : (100 * this.reused) / this.used,
      average_requests_per_connection: this.used === 0 ? 0 : this.requests / this.used,
      targets,
    }
  }
}
