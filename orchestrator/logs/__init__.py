"""What an app's containers print: which logs there are, of removed containers, too; read, searched and followed."""
