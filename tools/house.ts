/** The order of the house: a package may import only those that stand above it in this list. */
export const houseOrder: readonly string[] = [
  'packages/core',
  'packages/contract',
  'packages/stores',
  'packages/web',
  'packages/client',
  'packages/server',
  'packages/nest',
  'packages/adapters',
  'packages/cli',
  'packages/studio',
  'examples',
  'bench',
];

/** The named exceptions: `from` may name `to` in a lazy `import()`, never in a static import. */
export const lazyExceptions: readonly { readonly from: string; readonly to: string }[] = [
  { from: 'packages/core', to: 'packages/stores' },
];

/** Files from which no `node:` module may be reached, so that browsers can load them. */
export const portableDoors: readonly string[] = ['packages/core/src/model.ts'];
