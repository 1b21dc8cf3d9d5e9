import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TemporaryFolder } from './folder.ts'
import { peer } from './peers.ts'
import { run, RunningPeer } from './process.ts'

const program = peer('chromium')
const certutil = peer('certutil')

/** Whether Chromium, and the tool for its trust store, are here. */
export const hasChromium: boolean = program !== undefined && certutil !== undefined

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--no-first-run',
  '--disable-background-networking',
  '--remote-debugging-port=0', // keeps it open
  '--disable-features=LocalNetworkAccessChecks,PrivateNetworkAccessSendPreflights',
]

/** Chromium at a page, with a profile and a trust store of its own in the folder: it trusts these CAs (PEM) beside its own. */
export async function startChromium(
  folder: TemporaryFolder,
  url: string,
  cas: readonly string[],
  ...more: readonly string[]
): Promise<RunningPeer> {
  const database = ['-d', `sql:${folder.path}/.pki/nssdb`]
  mkdirSync(`${folder.path}/.pki/nssdb`, { recursive: true })
  await certify(...database, '-N', '--empty-password')
  for (const [at, ca] of cas.entries())
    await certify(...database, '-A', '-t', 'C,,', '-n', `root ${at}`, '-i', folder.write(`root-${at}.pem`, ca))
  const args = [...flags, `--user-data-dir=${folder.path}/profile`, ...more, url]
  return new RunningPeer(spawn(program ?? '', args, { env: { ...process.env, HOME: folder.path } }), 0)
}

async function certify(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run(certutil ?? '', args)
  if (code !== 0) throw new TypeError(`certutil ${args.join(' ')}: ${stderr}`)
}

/**
 * What Chromium's fetch() gets of each URL, in this order: the text, or 'refused'. `inTurn`: one after the other, else all at once. Names under
 * example.org and example are this machine's.
 */
export async function fetchedByChromium(
  folder: TemporaryFolder,
  {
    cas,
    urls,
    inTurn = false,
  }: { readonly cas: readonly string[]; readonly urls: readonly string[]; readonly inTurn?: boolean },
): Promise<readonly string[]> {
  const page = `<script>
    const ask = (url) => fetch(url).then((answer) => answer.text(), () => 'refused')
    const urls = ${JSON.stringify(urls)}
    const inTurn = async () => { const answers = []; for (const url of urls) answers.push(await ask(url)); return answers }
    const all = ${inTurn ? 'inTurn()' : 'Promise.all(urls.map(ask))'}
    all.then((answers) => fetch('/answers', { method: 'POST', body: JSON.stringify(answers) }))
  </script>`
  let resolve: (answers: readonly string[]) => void = () => undefined
  const answers = new Promise<readonly string[]>((done) => (resolve = done))
  const web = createServer((request, response) => {
    if (request.method !== 'POST') return response.setHeader('content-type', 'text/html').end(page)
    text(request).then(
      (body) => resolve(JSON.parse(body) as string[]),
      () => resolve([]),
    )
    return response.end()
  }).listen(0, '127.0.0.1')
  await once(web, 'listening')
  const { port } = web.address() as AddressInfo
  const names = '--host-resolver-rules=MAP *.example.org 127.0.0.1, MAP *.example 127.0.0.1'
  await using browser = await startChromium(folder, `http://127.0.0.1:${port}/`, cas, names)
  try {
    return await Promise.race([answers, browser.printed(/(?!)/).then(() => [])])
  } finally {
    await browser.stop()
    web.close()
  }
}
