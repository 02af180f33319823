import { userInfo } from 'node:os'

/** This machine's user. A container may run under a number that no name belongs to. */
export function readUser(): string {
  try {
    return userInfo().username
  } catch {
    return process.env['USER'] || `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
