# Bundle: the gallery page, the manifest of what produced it, and one zip of everything a reader needs.
#
# in:   figures, claims, every input and output of the run; all settings
# out:  <results>/index.html, <results>/manifest.json, <results>/bundle.zip
# steps: write_manifest -> build_gallery -> zip_bundle
