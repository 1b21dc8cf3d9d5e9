import { parseArgs } from 'node:util'
import nodeFs from 'node:fs'
import { bundleFile } from './bundle-file.ts'
import type { CaStore } from './ca-store.ts'
import { CaStoreError } from './errors.ts'
import { readFile } from './file-system.ts'

/** What the command line reads and writes. */
export interface CliWorld {
  readonly store: () => CaStore
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** As `bundleFile`. */
  readonly bundleFile?: (store: CaStore) => string
}

const USAGE = `Usage: ca-store [--pem | --path | --find <pem>] [--json]

Which CAs does this machine trust, and where does each come from?

  --pem         print all of them as one PEM bundle
  --path        print the path of a file that holds exactly them:
                SSL_CERT_FILE=$(npx @x/ca-store --path) curl https://…
  --find <pem>  print which of them issued the first certificate of this file
  --json        print the answer (all, or that of --find) as JSON
  --help        print this

Exit status: 0, 1 where --find finds none, 2 where the arguments or the store are unusable.
`

/** Runs the command and returns its exit status. */
export function run(args: readonly string[], world: CliWorld): number {
  try {
    return answer(readArgs(args), world)
  } catch (error) {
    if (error instanceof CaStoreError) world.err(`ca-store: ${error.message} (${error.code})\n`)
    else if (isUsage(error)) world.err(`ca-store: ${error.message}\n\n${USAGE}`)
    else throw error
    return 2
  }
}

interface CliOptions {
  readonly pem?: boolean
  readonly path?: boolean
  readonly json?: boolean
  readonly help?: boolean
  readonly find?: string
}

function readArgs(args: readonly string[]): CliOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      pem: { type: 'boolean' },
      path: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      find: { type: 'string' },
    },
  })
  const modes = [values.pem, values.path, values.find].filter((value) => value !== undefined)
  if (modes.length > 1 || (values.json === true && (values.pem || values.path)))
    throw Object.assign(new TypeError('--pem, --path and --find exclude each other; --json goes with --find alone'), {
      code: 'ERR_PARSE_ARGS_CONFLICT',
    })
  return values
}

function isUsage(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

function answer(options: CliOptions, world: CliWorld): number {
  if (options.help) world.out(USAGE)
  else if (options.find !== undefined) return find(options.find, options.json === true, world)
  else if (options.pem) world.out(world.store().toPem())
  else if (options.path) world.out(`${(world.bundleFile ?? bundleFile)(world.store())}\n`)
  else world.out(options.json ? asJson(world.store()) : asText(world.store()))
  return 0
}

function find(file: string, json: boolean, { store: open, out, err }: CliWorld): number {
  const store = open()
  const issuer = store.findIssuer(readFile(nodeFs, file))
  if (issuer === undefined) {
    if (json) out('null\n')
    else err(`ca-store: none of the ${store.size} certificates issued ${file}\n`)
    return 1
  }
  const origin = store.origin(issuer)
  const { subject, fingerprint256, validTo } = issuer
  if (json) out(`${JSON.stringify({ subject, fingerprint256, validTo, origin }, null, 2)}\n`)
  else
    out(
      `${oneLine(subject)}\nsha256  ${fingerprint256}\nuntil   ${validTo}\nfrom    ${place(origin?.file, origin?.by)} #${origin?.index}\n`,
    )
  return 0
}

function asText(store: CaStore): string {
  const lines = [
    `${store.size} ${store.size === 1 ? 'certificate' : 'certificates'}`,
    ...countPlaces(store).map(({ count, file, by }) => `${pad(count)}  ${place(file, by)}`),
  ]
  const duplicates = store.errors.filter(({ code }) => code === 'ERR_CA_DUPLICATE').length
  const skipped = store.errors.filter(({ code }) => code !== 'ERR_CA_DUPLICATE')
  if (store.errors.length > 0) lines.push(`${store.errors.length} skipped`)
  if (duplicates > 0) lines.push(`${pad(duplicates)}  that were there already`)
  for (const { message, code } of skipped) lines.push(`  ${message} (${code})`)
  return `${lines.join('\n')}\n`
}

function asJson(store: CaStore): string {
  const certificates = store.certificates.map((certificate) => {
    const { subject, fingerprint256, validTo } = certificate
    return { subject, fingerprint256, validTo, origin: store.origin(certificate) }
  })
  const errors = store.errors.map(({ code, message, file, index }) => ({ code, message, file, index }))
  const { file = null, path = null, size: count, digest } = store
  return `${JSON.stringify({ count, file, path, digest, places: countPlaces(store), certificates, errors }, null, 2)}\n`
}

interface PlaceCount {
  readonly by: string
  readonly file: string | undefined
  readonly count: number
}

/** How many certificates each file or list gave; the files of a directory count as their directory. */
function countPlaces(store: CaStore): PlaceCount[] {
  const directories = store.path === undefined ? undefined : store.path
  const places = new Map<string, PlaceCount>()
  for (const der of store.raw) {
    const origin = store.origin(der)
    if (origin === undefined) continue
    const isHashed =
      directories !== undefined && origin.file !== store.file && origin.source !== 'extra' && origin.file !== undefined
    const file = isHashed ? directories : origin.file
    const key = `${origin.by}\n${file}`
    places.set(key, { by: origin.by, file, count: (places.get(key)?.count ?? 0) + 1 })
  }
  return [...places.values()]
}

function place(file: string | undefined, by: string | undefined): string {
  return file === undefined ? `${by}` : `${file} (${by})`
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ')
}

function pad(count: number): string {
  return String(count).padStart(6)
}
