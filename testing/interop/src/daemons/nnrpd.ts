import { mkdirSync } from 'node:fs'
import { unpackedPeers } from '../peers.ts'
import { run, type RunningPeer, startServer } from '../process.ts'
import type { DaemonSetup } from './setup.ts'

/** INN's reader daemon, with one empty group. */
export async function startNnrpd(program: string, { folder, tls }: DaemonSetup): Promise<RunningPeer> {
  for (const name of ['news', 'news/db', 'news/spool', 'news/run', 'news/log', 'news/tmp', 'news/over'])
    mkdirSync(folder.file(name))
  const home = folder.file('news')
  const config = folder.write(
    'news/inn.conf',
    `organization: test
domain: example.org
pathhost: news.example.org
mta: "/bin/true %s"
hismethod: hisv6
ovmethod: tradindexed
enableoverview: true
pathnews: ${unpackedPeers}/usr/lib/news
pathetc: ${home}
pathdb: ${home}/db
pathlog: ${home}/log
pathrun: ${home}/run
pathtmp: ${home}/tmp
pathoverview: ${home}/over
pathspool: ${home}/spool
nnrpdloadlimit: 0
runasuser: nobody
runasgroup: nogroup
${tls === undefined ? '' : `tlscertfile: ${tls.cert}\ntlskeyfile: ${tls.key}\ntlscafile: ${tls.cert}\n`}`,
  )
  folder.write(
    'news/readers.conf',
    'auth "all" {\n  hosts: "*"\n  default: "<anonymous>"\n}\naccess "all" {\n  users: "<anonymous>"\n  newsgroups: "*"\n}\n',
  )
  folder.write('news/storage.conf', 'method tradspool {\n  newsgroups: *\n  class: 0\n}\n')
  folder.write('news/db/active', 'misc.test 0000000000 0000000001 y\n')
  for (const name of ['active.times', 'history']) folder.write(`news/db/${name}`, '')
  const libraries = `${unpackedPeers}/usr/lib/news:${unpackedPeers}/usr/lib/x86_64-linux-gnu`
  const env = { ...process.env, INNCONF: config, LD_LIBRARY_PATH: libraries }
  const handedOver = await run('chown', ['-R', 'nobody:nogroup', home, ...(tls === undefined ? [] : [tls.key])])
  if (handedOver.code !== 0) throw new Error(handedOver.stderr)
  // as the user above, to whom it all belongs now
  const made = await run(`${unpackedPeers}/usr/lib/news/bin/tdx-util`, ['-c', '-n', 'misc.test', '-a', '1'], { env })
  if (made.code !== 0) throw new Error(made.stderr)
  return startServer(program, (port) => ['-D', '-f', '-p', String(port), '-4', '127.0.0.1'], { env })
}
