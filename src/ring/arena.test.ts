import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkForLeaks } from '../worker/leaks.fixture.js'
import { ArgumentArena, Chunks, mostBlockBytes } from './arena.js'

checkForLeaks()

/** An arena, and what the other side knows of it. */
function arenaWithReader(): { arena: ArgumentArena; reader: Chunks; told: number[] } {
  const reader = new Chunks()
  const told: number[] = []
  const arena = new ArgumentArena((number, buffer) => {
    told.push(buffer === null ? -number : number)
    reader.add(number, buffer)
  })
  return { arena, reader, told }
}

/** Takes blocks of so many bytes until there is no room; gives their places. */
function fill(arena: ArgumentArena, bytes: number): [chunk: number, at: number][] {
  const places: [number, number][] = []
  while (arena.take(bytes)) places.push([arena.chunk, arena.at])
  return places
}

describe('the blocks with arguments', () => {
  test('are 64 MB at most, and one that is given back can be taken again', () => {
    const { arena } = arenaWithReader()
    const places = fill(arena, mostBlockBytes)
    assert.equal(places.length, 8)
    const [chunk, at] = places[3] as [number, number]
    arena.give(chunk, at, mostBlockBytes)
    assert.ok(arena.take(mostBlockBytes))
    assert.deepEqual([arena.chunk, arena.at], [chunk, at])
  })

  test('are no longer than the longest, also when none is in use', () => {
    assert.ok(!arenaWithReader().arena.take(2 ** 27))
  })

  for (const [first, second] of [
    [mostBlockBytes, 100],
    [100, mostBlockBytes],
    [20_000, 300_000],
  ] as const) {
    test(`of ${first} bytes leave their room to one of ${second} when none is in use`, () => {
      const { arena, reader } = arenaWithReader()
      const places = fill(arena, first)
      assert.ok(!arena.take(second))
      const [last, ...others] = places.toReversed() as [[number, number], ...[number, number][]]
      for (const [chunk, at] of others) arena.give(chunk, at, first)
      // One is still read by somebody.
      assert.ok(!arena.take(second))
      assert.ok(reader.get(last[0]) !== undefined)
      arena.give(...last, first)
      assert.ok(arena.take(second))
      assert.equal(reader.get(arena.chunk)?.buffer, arena.bytes.buffer)
      assert.equal(reader.get(last[0]), undefined)
      assert.ok([...arena.chunks].every(({ number }) => reader.get(number) !== undefined))
    })
  }
})
