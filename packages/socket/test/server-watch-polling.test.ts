import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { watchFiles } from '../src/watch.ts'

const watching = vi.hoisted(() => ({ answer: (): unknown => undefined }))
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  watch: () => watching.answer(),
}))

const folder = mkdtempSync(join(tmpdir(), 'x-socket-'))
const file = join(folder, 'cert.pem')
afterEach(() => {
  vi.useRealTimers()
  writeFileSync(file, '')
})

const MINUTE = 60_000
const SETTLED = 100

describe('files that the system reports nothing about', () => {
  const silences: readonly [string, () => unknown][] = [
    [
      'where a folder cannot be watched',
      () => {
        throw Object.assign(new Error('no space for watches'), { code: 'ENOSPC' })
      },
    ],
    ['where changes are not seen (a network file system)', () => ({ on: () => undefined, close: () => undefined })],
    [
      'where the watch breaks',
      () => ({ on: (_event: string, broken: () => void) => broken(), close: () => undefined }),
    ],
  ]

  it.each(silences)('are looked at once a minute, %s', async (_what, answer) => {
    watching.answer = answer
    vi.useFakeTimers()
    writeFileSync(file, 'one')
    const end = new AbortController()
    const changes: string[] = []
    const onChange = (): Promise<void> => Promise.resolve(void changes.push('changed'))
    watchFiles(() => [file], onChange, end.signal)
    await vi.advanceTimersByTimeAsync(MINUTE + SETTLED)
    expect(changes).toEqual([])
    writeFileSync(file, 'two, and longer')
    await vi.advanceTimersByTimeAsync(MINUTE - SETTLED - 1)
    expect(changes).toEqual([])
    await vi.advanceTimersByTimeAsync(SETTLED + 1)
    expect(changes).toEqual(['changed'])
    await vi.advanceTimersByTimeAsync(3 * MINUTE)
    expect(changes).toEqual(['changed']) // once for each change
    rmSync(file)
    await vi.advanceTimersByTimeAsync(MINUTE + SETTLED)
    expect(changes).toEqual(['changed', 'changed'])
    end.abort()
    writeFileSync(file, 'three')
    await vi.advanceTimersByTimeAsync(3 * MINUTE)
    expect(changes).toHaveLength(2)
    expect(vi.getTimerCount()).toBe(0)
  })
})
