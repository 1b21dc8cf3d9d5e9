import { type RunningPeer, startServer } from '../process.ts'
import type { DaemonSetup } from './setup.ts'

/** OpenLDAP's slapd with nothing in it. */
export function startSlapd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const config = folder.write(
    'slapd.conf',
    `${tls === undefined ? '' : `TLSCertificateFile ${tls.cert}\nTLSCertificateKeyFile ${tls.key}\n`}pidfile ${folder.file('slapd.pid')}
database config
rootpw secret
`,
  )
  return startServer(program, (port) => ['-d', '0', '-h', `ldap://127.0.0.1:${port}/`, '-f', config])
}
