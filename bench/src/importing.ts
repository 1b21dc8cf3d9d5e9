import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { MeasuredRow } from './row.ts'

const REPORT =
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); console.log((user + system) / 1000) })"

/** How often each is started per sample; the least counts, since other work only ever adds. */
const STARTS = 3

/** What an import adds to the CPU time of a bare node, beside others' imports: `others` by the name to show, with what is imported. */
export function importing(name: string, atMost: number, others: Readonly<Record<string, string>>): MeasuredRow {
  const all = { [`@x/${name}`]: `@x/${name}`, ...others }
  const measure = Object.fromEntries(
    Object.entries(all).map(([subject, module]) => [
      subject,
      () => added(module.startsWith('node:') ? module : import.meta.resolve(module)),
    ]),
  )
  return { name: `import: @x/${name}, over bare node`, measure, unit: 'ms', goals: [{ atMost }] }
}

async function added(module: string): Promise<number> {
  const [bare, loaded]: [number[], number[]] = [[], []]
  for (let i = 0; i < STARTS; i++) {
    bare.push(await cost(REPORT))
    loaded.push(await cost(`import ${JSON.stringify(module)};${REPORT}`))
  }
  return Math.max(Math.min(...loaded) - Math.min(...bare), 0.01)
}

async function cost(source: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source])
  return Number(stdout)
}
