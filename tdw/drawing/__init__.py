"""How figures look: style, labels, previews, frames, the page that works offline. No figure stands here."""
