import { chmodSync } from 'node:fs'
import { TemporaryFolder } from '../folder.ts'
import { run, type RunningPeer } from '../process.ts'

/** What a daemon is started with: a folder for all that it writes, and where it is to offer TLS, its certificate and key (paths). */
export interface DaemonSetup {
  readonly folder: TemporaryFolder
  readonly tls: { readonly cert: string; readonly key: string } | undefined
}

export type StartDaemon = (program: string, setup: DaemonSetup) => Promise<RunningPeer>

/** A folder that daemons can enter which give up root, with the identity (PEM) of one that offers TLS. */
export function daemonSetup(identity?: { readonly cert: string; readonly key: string }): DaemonSetup {
  const folder = new TemporaryFolder()
  chmodSync(folder.path, 0o755)
  if (identity === undefined) return { folder, tls: undefined }
  const tls = { cert: folder.write('cert.pem', identity.cert), key: folder.write('key.pem', identity.key) }
  chmodSync(tls.cert, 0o644)
  return { folder, tls }
}

/** The ids of a user of this machine. */
export async function idsOf(user: string): Promise<readonly [uid: number, gid: number]> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => Number((await run('id', [flag, user])).stdout)))
  return [uid as number, gid as number]
}
