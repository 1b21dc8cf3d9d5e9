import { chownSync, mkdirSync } from 'node:fs'
import { run, type RunningPeer, startServer } from '../process.ts'
import { type DaemonSetup, idsOf } from './setup.ts'

/** Postfix's smtpd; `program` is its `master`. Its log is a file: what it cannot write there, here to a socket, holds it up. */
export async function startPostfix(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  const home = folder.file('postfix')
  mkdirSync(`${home}/queue`, { recursive: true })
  mkdirSync(`${home}/data`)
  chownSync(`${home}/data`, (await idsOf('postfix'))[0], 0)
  folder.write(
    'postfix/main.cf',
    `compatibility_level = 3.6
queue_directory = ${home}/queue
data_directory = ${home}/data
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
maillog_file_prefixes = ${folder.path}
maillog_file = ${home}/log
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
alias_maps =
local_recipient_maps =
smtpd_peername_lookup = no
${tls === undefined ? '' : `smtpd_tls_security_level = may\nsmtpd_tls_chain_files = ${tls.key}, ${tls.cert}\n`}`,
  )
  // Makes the queue's folders; the daemon itself is then started in the foreground.
  folder.write('postfix/master.cf', '')
  await run('postfix', ['-c', home, 'check'])
  const services = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
`
  return startServer(
    program,
    (port) => {
      folder.write('postfix/master.cf', services(port))
      return ['-c', home, '-d']
    },
    { env: { ...process.env, MAIL_CONFIG: home } },
  )
}
