/**
 * Labelled texts, and what they show about a model. Start at {@link dev.remora.models.eval.LabelledCorpus} for the texts,
 * whose labels form a tree, {@link dev.remora.models.eval.Ontology}; at {@link
 * dev.remora.models.eval.ExpertStudy} for which experts serve which of them, {@link dev.remora.models.eval.ExpertUse}.
 *
 * <p>Every result rolls up the tree: a label's numbers are those of its own texts and of all labels below it.
 *
 * <p>Never here: printing, colours, files other than those of a corpus, the order of steps.
 */
package dev.remora.models.eval;
