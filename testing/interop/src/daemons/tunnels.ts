import { type RunningPeer, startServer } from '../process.ts'
import type { DaemonSetup } from './setup.ts'

/** stunnel: TLS in front of a plain port (`connect`), after the dialogue of `protocol` where one is given. */
export function startStunnel(
  program: string,
  { folder, tls }: DaemonSetup,
  connect: number,
  protocol?: string,
): Promise<RunningPeer> {
  const config = (accept: number): string => `foreground = yes
pid =
cert = ${tls?.cert}
key = ${tls?.key}
[x]
accept = 127.0.0.1:${accept}
connect = 127.0.0.1:${connect}
${protocol === undefined ? '' : `protocol = ${protocol}\n`}`
  return startServer(program, (accept) => [folder.write(`stunnel-${protocol ?? 'plain'}.conf`, config(accept))])
}

/** tinyproxy, which opens tunnels to the ports given only. */
export function startTinyproxy(
  program: string,
  { folder }: DaemonSetup,
  ports: readonly number[],
): Promise<RunningPeer> {
  const config = (port: number): string => `Port ${port}
Listen 127.0.0.1
Timeout 60
MaxClients 20
Allow 127.0.0.1
${ports.map((allowed) => `ConnectPort ${allowed}\n`).join('')}`
  return startServer(program, (port) => ['-d', '-c', folder.write('tinyproxy.conf', config(port))])
}
