import { mkdirSync } from 'node:fs'
import { type RunningPeer, startServer } from '../process.ts'
import type { DaemonSetup } from './setup.ts'

/** Prosody, serving the domain `localhost`. */
export function startProsody(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  mkdirSync(folder.file('prosody'))
  const config = (port: number): string => `run_as_root = true
pidfile = "${folder.file('prosody.pid')}"
data_path = "${folder.file('prosody')}"
log = { info = "*console" }
modules_enabled = { ${tls === undefined ? '' : '"tls", '}"saslauth" }
modules_disabled = { "s2s"${tls === undefined ? ', "tls"' : ''} }
interfaces = { "127.0.0.1" }
c2s_ports = { ${port} }
c2s_direct_tls_ports = { }
s2s_ports = { }
c2s_require_encryption = ${tls !== undefined}
VirtualHost "localhost"
${tls === undefined ? '' : `  ssl = { key = "${tls.key}", certificate = "${tls.cert}" }\n`}`
  return startServer(program, (port) => ['-F', '--config', folder.write('prosody.lua', config(port))])
}

/** InspIRCd. */
export function startInspircd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const secure =
    tls === undefined
      ? ''
      : `<module name="ssl_gnutls">
<sslprofile name="Clients" provider="gnutls" cafile="" certfile="${tls.cert}" keyfile="${tls.key}">
<module name="starttls">
`
  const config = (port: number): string => `<server name="irc.example.org" description="test" network="test" id="1AA">
<admin name="a" nick="a" email="a@example.org">
<bind address="127.0.0.1" port="${port}" type="clients">
<connect allow="*" timeout="60">
<path datadir="${folder.path}" logdir="${folder.path}" runtimedir="${folder.path}">
<pid file="${folder.file('inspircd.pid')}">
${secure}`
  // where it leaves a core when it is stopped in the middle of a connection
  const options = { cwd: folder.path }
  return startServer(
    program,
    (port) => ['--runasroot', '--nofork', '--nolog', `--config=${folder.write('inspircd.conf', config(port))}`],
    options,
  )
}
