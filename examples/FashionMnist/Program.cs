Spectre.Console.AnsiConsole.MarkupLine("[green]Flambeau[/]");
