"""What DVID's clients read and send.

`block_stream`, `go_json` and `scaling` serve every data type. The others serve labels. `label_payloads` has
every compression by name. `labels_block` and `google_labels` are two of them. `transcoding` makes a
labels.Block from a stored chunk. `labels_json` reads requests. `downres` and `pseudocolor` are DVID's rules.
"""
