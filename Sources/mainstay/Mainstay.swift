import App
import ArgumentParser

@main
enum Mainstay {
    static func main() async {
        await MainstayCommand.main()
    }
}
