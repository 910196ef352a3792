import { describe, expect, it } from 'vitest';
import { isVisible } from '../../src/session/is-visible.ts';

describe('who sees a turn', () => {
  it('is everybody, if it names nobody', () => {
    expect(isVisible({}, 'planner')).toBe(true);
    expect(isVisible({ visibleTo: ['coder'], hiddenFrom: [] }, undefined)).toBe(true);
  });

  it('is only those that it is visible to', () => {
    expect(isVisible({ visibleTo: ['coder'] }, 'coder')).toBe(true);
    expect(isVisible({ visibleTo: ['coder'] }, 'planner')).toBe(false);
    expect(isVisible({ visibleTo: [] }, 'coder')).toBe(false);
  });

  it('is not those that it is hidden from, unless it is visible to them', () => {
    expect(isVisible({ hiddenFrom: ['coder'] }, 'coder')).toBe(false);
    expect(isVisible({ hiddenFrom: ['coder'] }, 'planner')).toBe(true);
    expect(isVisible({ visibleTo: ['coder'], hiddenFrom: ['coder'] }, 'coder')).toBe(true);
  });
});
