/**
 * The command under which a process has mounts of its own: what it mounts is seen by nobody else, and gone when
 * it ends. Without being root it needs a kernel that lets users have namespaces; then it is root in there.
 */
export const withOwnMounts: readonly string[] =
  process.getuid?.() === 0
    ? ['unshare', '--mount']
    : ['unshare', '--user', '--map-root-user', '--mount'];
