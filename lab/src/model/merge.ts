/** Deep merge of what several files say: maps are merged key by key, everything else is replaced by the later word. */

export type YamlMap = Readonly<Record<string, unknown>>;

export function isMapValue(value: unknown): value is YamlMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function deepMerge(earlier: unknown, later: unknown): unknown {
  if (!isMapValue(earlier) || !isMapValue(later)) return later;
  const both = Object.entries(later).map(([key, value]) => [
    key,
    Object.hasOwn(earlier, key) ? deepMerge(earlier[key], value) : value,
  ]);
  // fromEntries makes own properties only, whatever a key is called.
  return Object.fromEntries([...Object.entries(earlier), ...both]) as YamlMap;
}

/** A copy with the value at the path replaced; what is missing on the way there is made. */
export function withValue(root: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(root))
    return root.map((item, index) => (String(index) === key ? withValue(item, rest, value) : item));
  const map = isMapValue(root) ? root : {};
  const inner = withValue(Object.hasOwn(map, key) ? map[key] : undefined, rest, value);
  return Object.fromEntries([...Object.entries(map), [key, inner]]);
}
