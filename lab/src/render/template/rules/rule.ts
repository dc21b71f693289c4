import type { DomainEditor, TemplateFacts } from "../editor.js";

/** One thing that a domain of another host, or of another year, has wrong. Nothing to mend: no change, no note. */
export type Rule = (editor: DomainEditor, facts: TemplateFacts) => void;
