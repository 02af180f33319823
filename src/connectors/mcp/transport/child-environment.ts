/**
 * What a child may inherit of the host's environment (S9): enough to find programs and a home, and nothing that
 * could be a secret. The second line is what Windows programs do not start without.
 */
const inheritable: ReadonlySet<string> = new Set([
  ...['HOME', 'LOGNAME', 'PATH', 'SHELL', 'TERM', 'USER', 'LANG', 'TMPDIR'],
  ...['APPDATA', 'LOCALAPPDATA', 'PROGRAMFILES', 'SYSTEMDRIVE', 'SYSTEMROOT', 'TEMP', 'USERPROFILE'],
])

/** The whole environment of a child: the inheritable part of `host`, and over it what its config says. */
export function createChildEnvironment(
  host: Readonly<Record<string, string | undefined>>,
  configured: Readonly<Record<string, string>>,
): Record<string, string> {
  const environment: Record<string, string> = {}
  for (const [name, value] of Object.entries(host)) {
    // A value that begins so is a shell function, which a shell below the child would run.
    if (value === undefined || value.startsWith('()')) continue
    if (inheritable.has(name.toUpperCase())) environment[name] = value
  }
  return { ...environment, ...configured }
}
