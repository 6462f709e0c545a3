"""Without a truth to learn from: what is strange, and what goes together.

Takes: a split with sealed rows, and the problem.
Gives: detectors of anomalies and clusters, each chosen by what can be measured, described in words, with a page.
Never: lets labels teach a detector, or calls noise a cluster.
"""

__all__: list[str] = []
