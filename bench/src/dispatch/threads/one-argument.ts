/** The module of pools whose works have one argument: piscina and tinypool. */
export * from './works.js'

export const add = ({ a, b }: { a: number; b: number }): number => a + b
